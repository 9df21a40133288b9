// Attractors that are turned by dragging or with the arrow keys; + and - change their size.
for (const place of document.querySelectorAll(".orbit")) turntable(place);

function turntable(place) {
  const data = JSON.parse(place.querySelector("script").textContent);
  const bytes = Uint8Array.from(atob(data.points), (character) => character.charCodeAt(0));
  const points = new Int16Array(bytes.buffer);
  const canvas = place.querySelector("canvas");
  const choice = place.querySelector("select");
  const view = { turn: -0.7, tilt: 0.3, size: 0.56 };

  const path = (context, run) => {
    const [ct, st, cp, sp] = [Math.cos(view.turn), Math.sin(view.turn), Math.cos(view.tilt), Math.sin(view.tilt)];
    const [width, height] = [canvas.width, canvas.height];
    const scale = (view.size * Math.min(width, height)) / 32000;
    let drawing = false;
    context.beginPath();
    for (let sample = 0; sample < data.samples; sample++) {
      const at = 3 * (run * data.samples + sample);
      if (points[at] === -32768) { drawing = false; continue; }
      const [x, y, z] = [points[at], points[at + 1], points[at + 2]];
      const across = ct * x - st * y;
      const up = cp * z - sp * (st * x + ct * y);
      const [left, top] = [width / 2 + scale * across, height / 2 - scale * up];
      if (drawing) context.lineTo(left, top); else context.moveTo(left, top);
      drawing = true;
    }
    context.stroke();
  };

  const draw = () => {
    const density = window.devicePixelRatio || 1;
    canvas.width = canvas.clientWidth * density;
    canvas.height = canvas.clientHeight * density;
    const context = canvas.getContext("2d");
    const style = getComputedStyle(place);
    context.lineJoin = "round";
    context.lineWidth = 0.7 * density;
    context.strokeStyle = style.getPropertyValue("--quiet");
    context.globalAlpha = choice.value === "" ? 1 : 0.45;
    path(context, 0);
    if (choice.value === "") return;
    context.globalAlpha = 1;
    context.strokeStyle = data.colours[choice.value];
    path(context, 1 + Number(choice.value));
  };

  const move = (turn, tilt, size = 1) => {
    view.turn += turn;
    view.tilt = Math.max(-1.57, Math.min(1.57, view.tilt + tilt));
    view.size = Math.max(0.1, Math.min(4, view.size * size));
    draw();
  };
  canvas.addEventListener("pointerdown", (event) => canvas.setPointerCapture(event.pointerId));
  canvas.addEventListener("pointermove", (event) => {
    if (canvas.hasPointerCapture(event.pointerId)) move(event.movementX / 150, event.movementY / 150);
  });
  const keys = {
    ArrowLeft: [-0.1, 0], ArrowRight: [0.1, 0], ArrowUp: [0, -0.1], ArrowDown: [0, 0.1],
    "+": [0, 0, 1.15], "-": [0, 0, 1 / 1.15],
  };
  canvas.addEventListener("keydown", (event) => {
    if (!(event.key in keys)) return;
    event.preventDefault();
    move(...keys[event.key]);
  });
  choice.addEventListener("change", draw);
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", draw);
  new ResizeObserver(draw).observe(canvas);
  place.hidden = false;
}
