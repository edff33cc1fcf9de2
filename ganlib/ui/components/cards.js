// Cards of runs: a strip of pictures, a name, numbers, and links that stay within the session.
function text(tag, className, content) {
  const element = document.createElement(tag);
  element.className = className;
  element.textContent = content;
  return element;
}

function card(item, index, go) {
  const article = document.createElement("article");
  article.dataset.run = item.title;
  article.style.setProperty("--own", item.colour);
  const main = link(item.links[0], "cover", go);
  main.setAttribute("aria-label", `${item.links[0].label}: ${item.title}`);
  for (const picture of item.pictures) {
    const image = document.createElement("img");
    image.src = picture.src;
    image.alt = picture.alt;
    image.title = picture.alt;
    main.append(image);
  }
  if (!item.pictures.length) main.append(text("span", "none", "no pictures yet"));
  article.classList.toggle("brief", Boolean(item.brief));
  article.append(main, text("h3", "title", item.title));
  if (item.subtitle) article.append(text("p", "subtitle", item.subtitle));
  const facts = document.createElement("dl");
  for (const fact of item.facts) {
    const cell = document.createElement("div");
    cell.title = fact.help;
    cell.append(text("dt", "", fact.label), text("dd", "", fact.value));
    facts.append(cell);
  }
  article.append(facts);
  for (const note of item.notes) article.append(text("p", "note", note));
  if (item.brief) return article;
  const links = document.createElement("nav");
  links.setAttribute("aria-label", item.title);
  links.append(...item.links.map((each) => link(each, "", go)));
  article.append(links);
  return article;
}

function link({ label, href, to }, className, go) {
  const anchor = className ? document.createElement("a") : text("a", "", label);
  anchor.className = className;
  anchor.href = href;
  anchor.onclick = (event) => {
    if (event.ctrlKey || event.metaKey || event.shiftKey || event.button) return; // another tab, as with any link
    event.preventDefault();
    go(to);
  };
  return anchor;
}

export default function ({ data, parentElement, setTriggerValue }) {
  const root = parentElement.querySelector(".ganlib-cards");
  const go = (to) => setTriggerValue("chosen", to);
  root.style.setProperty("--least", `${data.least}px`);
  root.style.setProperty("--narrow", data.least < 300 ? "45%" : "100%"); // of a phone: two small cards or one large
  root.replaceChildren(...data.items.map((item, i) => card(item, i, go)));
}
