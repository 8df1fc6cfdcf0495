/**
 * The density that an energy stands for, p(x) = exp(−E(x)) / Z, as a heat map: Z is the sum of exp(−E) over the picture and
 * a little beyond it. It is what exact chains would sample, so that what chains miss can be seen.
 */

const CELLS = 128;
const REACH = 1.25;

/** The middles of CELLS × CELLS cells of the scene's own view, the lowest row first. */
function grid({ center: [cx, cy], half }) {
  const reach = REACH * half;
  return Float32Array.from({ length: 2 * CELLS * CELLS }, (_, i) => {
    const cell = i % 2 ? Math.floor(i / 2 / CELLS) : (i / 2) % CELLS;
    return (i % 2 ? cy : cx) + reach * ((2 * Math.floor(cell) + 1) / CELLS - 1);
  });
}

/** Energies → {shares: of the highest density, logNormaliser: log Σ exp(−E) · area}. */
export function boltzmann(energies, area) {
  const least = energies.reduce((a, b) => Math.min(a, b), Infinity);
  const shares = energies.map((energy) => Math.exp(least - energy));
  const sum = shares.reduce((a, b) => a + b, 0);
  return { shares, logNormaliser: Math.log(sum * area) - least };
}

function energyOf({ scene }) {
  return Object.entries(scene?.network?.surfaces ?? {}).find(([, { of }]) => of === "energy")?.[0];
}

function picture(shares, { ramp }) {
  const canvas = Object.assign(document.createElement("canvas"), { width: CELLS, height: CELLS });
  const ctx = canvas.getContext("2d");
  const image = ctx.createImageData(CELLS, CELLS);
  shares.forEach((share, k) => {
    const to = 4 * ((CELLS - 1 - Math.floor(k / CELLS)) * CELLS + (k % CELLS));
    const from = 4 * Math.round(255 * Math.sqrt(share));
    for (let c = 0; c < 4; c++) image.data[to + c] = ramp[from + c];
  });
  ctx.putImageData(image, 0, 0);
  return canvas;
}

function painter() {
  let drawn = {};
  return (ctx, view, { found: { boltzmann: answer }, theme }) => {
    if (!answer || view.unrolled) return;
    if (drawn.answer !== answer || drawn.dark !== theme.dark) {
      drawn = { answer, dark: theme.dark, canvas: picture(answer.shares, theme) };
    }
    const {
      center: [cx, cy],
      half,
    } = answer.view;
    const reach = REACH * half;
    const [left, top] = [view.X(cx - reach, 1), view.Y(0, cy + reach)];
    ctx.imageSmoothingEnabled = true;
    ctx.drawImage(drawn.canvas, left, top, view.X(cx + reach, 1) - left, view.Y(0, cy - reach) - top);
  };
}

export const boltzmannDensity = () => ({
  name: "boltzmann",
  label: "Boltzmann density",
  key: "y",
  dims: [2],
  about: "The density exp(−E)/Z of the energy: what chains would sample if they mixed. Z is a sum over the picture.",
  legend: ({ found: { boltzmann: answer }, shapes }) => {
    const told = (value) => value.toFixed(2).replace("-", "−");
    const z = answer ? `, log Z = ${told(answer.logNormaliser)}` : "";
    const learnt = answer && typeof shapes?.normaliser === "number" ? ` (learnt: ${told(shapes.normaliser)})` : "";
    return { mark: "heat", text: `exp(−E)/Z${z}${learnt}` };
  },
  icon: '<path d="M2.500 16c3.500 0 3-11 7.500-11s4 11 7.500 11z"/><path d="M7 16c1.500 0 1.500-5 3-5s1.500 5 3 5" opacity=".6"/>',
  needs: "energy",
  asks: ({ request, scene }) => `${request.snapshot} ${JSON.stringify(scene.view)}`,
  ask: async (sampler, state, lane) => {
    const {
      request: { run, snapshot },
      scene: { view },
    } = state;
    const energies = await sampler.surface({ run, snapshot, name: energyOf(state), points: grid(view), lane });
    return energies && { ...boltzmann(energies, ((2 * REACH * view.half) / CELLS) ** 2), view };
  },
  painters: [{ plane: "ground", paint: painter() }],
});
