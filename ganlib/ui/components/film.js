// A film strip a run: pictures of its training in order. The one of the moment under the cursor of a chart, else the
// chosen one, is marked and kept in sight; a click chooses it.
function build(root, data, choose) {
  root.replaceChildren(
    ...data.rows.map((row) => {
      const line = document.createElement("div");
      line.className = "film";
      line.setAttribute("role", "group");
      line.setAttribute("aria-label", `Samples of ${row.label} over its training`);
      const head = document.createElement("div");
      head.className = "head";
      head.textContent = row.label;
      const strip = document.createElement("div");
      strip.className = "frames";
      strip.append(
        ...row.cells.map((cell) => {
          const button = document.createElement("button");
          button.type = "button";
          button.onclick = () => choose(cell.id);
          const image = document.createElement("img");
          image.src = cell.src;
          image.alt = image.title = cell.alt;
          const caption = document.createElement("span");
          caption.textContent = cell.caption;
          button.append(image, caption);
          return button;
        }),
      );
      line.append(head, strip);
      return line;
    }),
  );
}

// Marks in each row the last picture that is not after the place x of the axis.
function mark(root, data, x) {
  data.rows.forEach((row, i) => {
    const strip = root.children[i].querySelector(".frames");
    const after = row.cells.findIndex((cell) => cell.x > x);
    const current = Math.max((after < 0 ? row.cells.length : after) - 1, 0);
    [...strip.children].forEach((button, j) => button.setAttribute("aria-pressed", String(j === current)));
    const button = strip.children[current];
    const hidden = button.offsetLeft < strip.scrollLeft ||
      button.offsetLeft + button.offsetWidth > strip.scrollLeft + strip.clientWidth;
    if (hidden) strip.scrollLeft = button.offsetLeft - strip.clientWidth / 2;
  });
}

const place = (x) => (typeof x === "number" ? x : Date.parse(x.includes("Z") ? x : `${x.replace(" ", "T")}Z`));

export default function ({ data, parentElement, setTriggerValue }) {
  const root = parentElement.querySelector(".ganlib-film");
  const shape = JSON.stringify(data.rows);
  if (root.dataset.shape !== shape) {
    build(root, data, (id) => setTriggerValue("chosen", id));
    root.dataset.shape = shape;
  }
  mark(root, data, data.current);
  let chart = null;
  const follow = (event) => mark(root, data, place(event.points[0].x));
  const rest = () => mark(root, data, data.current);
  const look = () => {
    const found = document.querySelector(`.st-key-${data.chart} .js-plotly-plot`);
    if (found === chart || !found?.on) return;
    chart = found;
    chart.on("plotly_hover", follow);
    chart.on("plotly_unhover", rest);
  };
  const timer = setInterval(look, 500); // the chart is made after this, and anew whenever it changes
  look();
  return () => {
    clearInterval(timer);
    chart?.removeListener?.("plotly_hover", follow);
    chart?.removeListener?.("plotly_unhover", rest);
  };
}
