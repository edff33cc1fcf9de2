// A film of frames: play and pause, a scrubber, a speed. Nothing goes back to the page.
const SPEEDS = [0.25, 0.5, 1, 2, 4];

function element(tag, properties) {
  return Object.assign(document.createElement(tag), properties);
}

function build(root) {
  const image = element("img", { draggable: false });
  const play = element("button", { type: "button", className: "play" });
  const scrubber = element("input", { type: "range", min: 0, step: 1, ariaLabel: "Frame" });
  const speed = element("select", { ariaLabel: "Speed" });
  speed.append(...SPEEDS.map((s) => element("option", { value: s, textContent: `${s}×`, selected: s === 1 })));
  const caption = element("div", { className: "caption" });
  const bar = element("div", { className: "bar" });
  bar.append(play, scrubber, speed);
  root.replaceChildren(image, bar, caption);
  return { image, play, scrubber, speed, caption };
}

export default function ({ data, parentElement }) {
  const root = parentElement.querySelector(".ganlib-player");
  root.dataset.testid = "player";
  root.setAttribute("role", "group");
  root.setAttribute("aria-label", data.label);
  const state = (root.ganlibState ??= { at: 0, step: 1, playing: !matchMedia("(prefers-reduced-motion: reduce)").matches });
  const parts = (root.ganlibParts ??= build(root));
  const last = data.frames.length - 1;
  parts.scrubber.max = last;
  state.at = Math.min(state.at, last);

  const show = () => {
    parts.image.src = data.frames[state.at];
    parts.image.alt = `${data.label}: ${data.captions[state.at]}`;
    parts.scrubber.value = state.at;
    parts.scrubber.setAttribute("aria-valuetext", data.captions[state.at]);
    parts.caption.textContent = `${state.at + 1} of ${last + 1}: ${data.captions[state.at]}`;
    parts.play.textContent = state.playing ? "❚❚" : "▶";
    parts.play.ariaLabel = parts.play.title = state.playing ? "Pause" : "Play";
  };
  const advance = () => {
    if (!data.boomerang) {
      state.at = (state.at + 1) % (last + 1);
    } else {
      if (state.at + state.step > last || state.at + state.step < 0) state.step = -state.step;
      state.at = Math.max(0, Math.min(last, state.at + state.step));
    }
    show();
  };
  let timer = null;
  const run = () => {
    clearInterval(timer);
    timer = state.playing && last > 0 ? setInterval(advance, 1000 / (data.fps * Number(parts.speed.value))) : null;
    show();
  };
  parts.play.onclick = () => {
    state.playing = !state.playing;
    run();
  };
  parts.scrubber.oninput = () => {
    state.at = Number(parts.scrubber.value);
    state.playing = false;
    run();
  };
  parts.speed.onchange = run;
  run();
  return () => clearInterval(timer);
}
