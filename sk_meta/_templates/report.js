"use strict";
// Tables are sorted by the buttons in their heads, by click or key, in place.
for (const button of document.querySelectorAll("th button")) {
  button.addEventListener("click", () => sort(button.closest("th")));
}

function sort(head) {
  const body = head.closest("table").tBodies[0];
  const descending = head.getAttribute("aria-sort") === "ascending";
  for (const other of head.parentElement.cells) {
    if (other.hasAttribute("aria-sort")) other.setAttribute("aria-sort", "none");
  }
  head.setAttribute("aria-sort", descending ? "descending" : "ascending");
  const key = (row) => row.cells[head.cellIndex].dataset.value;
  const numeric = head.classList.contains("number");
  const compare = (a, b) => (numeric ? a - b : a.localeCompare(b));
  const rows = [...body.rows].sort((one, two) => {
    const [a, b] = [key(one), key(two)];
    // What is not known comes last in both directions.
    if (a === "" || b === "") return (a === "") - (b === "");
    return descending ? compare(b, a) : compare(a, b);
  });
  body.append(...rows);
}
