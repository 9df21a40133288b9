"use strict";

// Tables: a click on a head sorts by its column, each group of rows for itself; the reference rows stay below.
for (const table of document.querySelectorAll("table.sortable")) {
  const heads = [...table.tHead.rows[0].cells];
  heads.forEach((head, column) => {
    const button = document.createElement("button");
    button.type = "button";
    button.title = "Sort by this column";
    button.append(...head.childNodes);
    head.append(button);
    button.addEventListener("click", () => {
      const order = head.getAttribute("aria-sort") === "ascending" ? "descending" : "ascending";
      for (const other of heads) other.removeAttribute("aria-sort");
      head.setAttribute("aria-sort", order);
      const sign = order === "ascending" ? 1 : -1;
      for (const body of table.tBodies) body.append(...[...body.rows].sort((one, two) => compare(one, two, column, sign)));
    });
  });
}

function compare(one, two, column, sign) {
  const [a, b] = [one, two].map((row) => row.cells[column]);
  if ("value" in a.dataset || "value" in b.dataset) {
    const [x, y] = [a, b].map((cell) => parseFloat(cell.dataset.value));
    if (isNaN(x) || isNaN(y)) return isNaN(x) - isNaN(y); // what has no number comes last, either way
    return sign * (x - y);
  }
  return sign * a.textContent.localeCompare(b.textContent);
}

// A filter that leaves only the learners whose names contain what is typed, in all tables.
const filter = document.getElementById("filter");
filter.hidden = false;
filter.querySelector("input").addEventListener("input", (event) => {
  const wanted = event.target.value.trim().toLowerCase();
  for (const row of document.querySelectorAll("tr[data-learner]")) {
    row.hidden = !row.dataset.learner.toLowerCase().includes(wanted);
  }
});
