// A grid of pictures that fills the screen: every picture is a button where the page listens, and the columns are as
// many as make the pictures largest without leaving a ragged last row.
const CAPTION = 18, GAP = 6, MARGIN = 76, HEAD = 96, SMALLEST = 64, LARGEST = 320, NARROW = 640;

function columnsFor(n, width, height, caption) {
  const side = (c) => Math.min((width - GAP * (c - 1)) / c, height / Math.ceil(n / c) - caption - GAP, LARGEST);
  const all = Array.from({ length: n }, (_, i) => i + 1).filter((c) => side(c) >= SMALLEST);
  if (!all.length) {
    const fits = Math.max(1, Math.min(n, Math.floor((width + GAP) / (SMALLEST + 8 + GAP))));
    const even = Array.from({ length: fits }, (_, i) => fits - i).find((c) => n % c === 0 && 2 * c > fits);
    return [even || fits, 0];
  }
  const best = Math.max(...all.map(side));
  const even = all.filter((c) => n % c === 0 && side(c) > 0.8 * best);
  const columns = (even.length ? even : all).sort((a, b) => side(b) - side(a))[0];
  return [columns, side(columns)];
}

function layOut(grid, data) {
  const width = grid.parentElement.clientWidth;
  if (!width) return;
  if (data.columns) {
    const beside = data.heads && width >= NARROW;
    const space = beside ? HEAD + GAP : 0;
    const side = Math.min((width - space - GAP * (data.columns - 1)) / data.columns, data.largest || LARGEST);
    grid.style.gridTemplateColumns =
      (beside ? `${HEAD}px ` : "") + `repeat(${data.columns}, minmax(0, ${Math.max(side, 8)}px))`;
    grid.classList.toggle("stacked", Boolean(data.heads) && !beside);
    return;
  }
  const top = grid.getBoundingClientRect().top + document.querySelector("[data-testid=stMain]").scrollTop;
  const height = Math.max(window.innerHeight - top - MARGIN, window.innerHeight * 0.5);
  const n = data.cells.length;
  const [columns, side] = columnsFor(n, width, height, data.captions ? CAPTION : 0);
  grid.style.gridTemplateColumns = `repeat(${columns}, minmax(0, ${side ? `${side}px` : "1fr"}))`;
}

function build(grid, data) {
  grid.replaceChildren(
    ...data.cells.map((cell) => {
      if (cell.head !== undefined) {
        const head = document.createElement("div");
        head.className = "head";
        return head;
      }
      if (!cell.src) return document.createElement("div"); // an empty place at the end of a row
      const figure = document.createElement("figure");
      const image = document.createElement("img");
      if (data.open) {
        const button = document.createElement("button");
        button.type = "button";
        button.append(image);
        figure.append(button);
      } else {
        figure.append(image);
      }
      if (data.captions) figure.append(document.createElement("figcaption"));
      return figure;
    }),
  );
}

function fill(grid, data) {
  data.cells.forEach((cell, i) => {
    const element = grid.children[i];
    if (cell.head !== undefined) {
      element.textContent = cell.head;
      return;
    }
    if (!cell.src) return;
    const image = element.querySelector("img");
    image.src = cell.src;
    image.alt = cell.alt;
    image.title = cell.alt;
    image.dataset.id = cell.id ?? "";
    if (data.captions) element.querySelector("figcaption").textContent = cell.caption;
  });
}

export default function ({ data, parentElement, setTriggerValue }) {
  const grid = parentElement.querySelector(".ganlib-pictures");
  const shape = JSON.stringify([data.open, data.captions, data.cells.map((cell) => Object.keys(cell).length)]);
  grid.setAttribute("role", "group");
  grid.setAttribute("aria-label", data.label);
  grid.dataset.testid = data.testid;
  grid.classList.toggle("frames", !data.captions);
  if (grid.dataset.shape !== shape) {
    build(grid, data);
    grid.dataset.shape = shape;
  }
  fill(grid, data);
  layOut(grid, data);
  grid.onclick = (event) => {
    const button = event.target.closest("button");
    if (button) setTriggerValue("opened", button.firstChild.dataset.id);
  };
  const observer = new ResizeObserver(() => layOut(grid, data));
  observer.observe(grid.parentElement);
  return () => observer.disconnect();
}
