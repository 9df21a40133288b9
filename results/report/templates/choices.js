// One metric at a time, as chosen or as the address says (#vpt), and one system or all.
const metric = document.getElementById("metric");
const system = document.getElementById("system");
const sections = [...document.querySelectorAll("section.metric")];
for (const section of sections) metric.add(new Option(section.dataset.name));

function show() {
  for (const section of sections) {
    section.hidden = section.dataset.name !== metric.value;
    for (const row of section.querySelectorAll("tr")) {
      [...row.cells].slice(1, -1).forEach((cell, place) => {
        cell.hidden = system.value !== "" && place + 1 !== system.selectedIndex;
      });
    }
  }
}

function follow() {
  const wanted = sections.find((section) => section.id === location.hash.slice(1));
  metric.value = (wanted ?? sections.find((section) => "leading" in section.dataset) ?? sections[0]).dataset.name;
  show();
}

metric.addEventListener("change", () => {
  history.replaceState(null, "", `#${metric.value}`);
  show();
});
system.addEventListener("change", show);
addEventListener("hashchange", follow);
document.getElementById("choices").hidden = false;
follow();
