/** Charts that people read and zoom: Plotly, fetched from this server when the first chart is looked at. */

import { root } from "../../api/client.js";

const NARROW = 560;
/** Where a narrow chart's title begins, in pixels from the top: its tools have the row above. */
const UNDER_TOOLS = 30;
const LIBRARY = "/playground/plotly.min.js";

/** Plotly names icons by path and size; this one is an arrow into a tray, like its own camera in weight. */
const SVG_ICON = {
  width: 24,
  height: 24,
  path: "M11 3h2v9l3.5-3.5 1.4 1.4L12 15.8 6.1 9.9l1.4-1.4L11 12zM4 18h16v2H4z",
};

let loading;

/** Fetches the library without running it, which takes the main thread a while. */
export function fetchLibrary() {
  if (loading || document.querySelector(`link[href$="${LIBRARY}"]`)) return;
  document.head.append(
    Object.assign(document.createElement("link"), { rel: "preload", as: "script", href: root + LIBRARY }),
  );
}

/** The library; the same promise for all who ask. */
function plotly() {
  loading ??= new Promise((resolve, reject) => {
    const script = document.createElement("script");
    script.src = root + LIBRARY;
    script.onload = () => resolve(window.Plotly);
    script.onerror = () => {
      loading = undefined;
      reject(new Error("The charts' library could not be loaded; come back to this tab to try again."));
    };
    document.head.append(script);
  });
  return loading;
}

/** The colours and the type of the page, as they are now. */
export function themeOf(element) {
  const style = getComputedStyle(element);
  const value = (name) => style.getPropertyValue(`--pg-${name}`).trim();
  const inks = ["ink", "ink-soft", "ink-faint", "line", "line-strong", "raised", "field"];
  const names = [...inks, "accent", "moving", "target", "font"];
  const lines = Array.from({ length: 6 }, (_, k) => value(`series-${k + 1}`));
  return { ...Object.fromEntries(names.map((name) => [name, value(name)])), lines };
}

export class Chart {
  /** Draws inside `node`; `name` is what downloads are called. */
  constructor(node, name) {
    Object.assign(this, { node, name, drawn: null });
    this.size = new ResizeObserver(() => this.drawn && node.clientWidth && this.draw(...this.drawn));
    this.size.observe(node);
  }

  /** Shows {traces, title, x, y, y2, shapes, annotations}; `revision` keeps what was zoomed into for as long as it is the
      same. Resolves when it is drawn. */
  async draw(content, theme, revision) {
    this.drawn = [content, theme, revision];
    const Plotly = await plotly();
    if (this.drawn?.[0] !== content || !this.node.clientWidth) return; // a newer one has come, or nobody looks
    const narrow = this.node.clientWidth < NARROW;
    this.config ??= configOf(Plotly, this.name); // another object would make another plot, that forgets the zoom
    const height = narrow && this.node.clientHeight;
    await Plotly.react(this.node, content.traces, layoutOf(content, theme, revision, height), this.config);
    this.node.setAttribute("aria-label", content.description ?? content.title);
  }

  /** Moves the line that says where the clock is to a value of x, without drawing the chart again. */
  mark(value) {
    const { xaxis, _size: size } = this.node._fullLayout ?? {};
    if (!xaxis) return;
    if (!this.now?.isConnected) {
      this.now = Object.assign(document.createElement("div"), { className: "pg-moment" });
      this.node.append(this.now);
    }
    const along = xaxis.l2p(value);
    this.now.hidden = !(along >= 0 && along <= xaxis._length);
    this.now.style.transform = `translateX(${(xaxis._offset + along).toFixed(1)}px)`;
    Object.assign(this.now.style, { top: `${size.t}px`, height: `${size.h}px` });
    this.now.dataset.t = value.toFixed(3);
  }

  close() {
    this.size.disconnect();
    this.drawn = null;
    window.Plotly?.purge(this.node);
  }
}

/** `narrow` is the height of a chart that is too narrow for its legend to stand beside it, else false. */
function layoutOf({ title, traces, x, y, y2, shapes, annotations }, theme, revision, narrow) {
  const font = { family: theme.font, size: 12, color: theme["ink-soft"] };
  const axis = {
    gridcolor: theme.line,
    linecolor: theme["line-strong"],
    tickcolor: theme["line-strong"],
    ticks: "outside",
    ticklen: 4,
    zeroline: false,
    automargin: true,
    exponentformat: "power",
  };
  // 1, 2 and 5 of each decade, as plain numbers, more where there is less than one.
  const log = (values) => ({ tickformat: "~g", nticks: decadesOf(values) < 0.7 ? 5 : 3 });
  const titled = ({ title: text, short, slim, ...given }, name) => {
    const title = { text: narrow ? (short ?? text) : text, standoff: 8 };
    return {
      ...axis,
      ...(given.type === "log" && log(traces.flatMap((trace) => trace[name] ?? []))),
      ...given,
      ...(narrow && slim),
      title,
    };
  };
  return {
    title: {
      text: title,
      font: { size: 14, color: theme.ink },
      ...{ x: 0, xref: "paper", xanchor: "left" },
      ...{ y: narrow ? 1 - UNDER_TOOLS / narrow : 0.97, yref: "container", yanchor: "top" },
    },
    font,
    paper_bgcolor: theme.raised,
    plot_bgcolor: theme.raised,
    margin: { l: narrow ? 44 : 56, r: 12, t: narrow ? 62 : 44, b: 44 },
    xaxis: titled(x, "x"),
    yaxis: titled(y, "y"),
    ...(y2 && { yaxis2: { ...titled(y2, "y"), tickmode: "auto", overlaying: "y", side: "right", showgrid: false } }),
    shapes,
    annotations: annotations?.map((note) => ({
      showarrow: false,
      font: { size: 11, color: theme["ink-soft"] },
      ...note,
    })),
    hovermode: "closest",
    hoverlabel: {
      bgcolor: theme.field,
      bordercolor: theme["line-strong"],
      font: { color: theme.ink, family: theme.font },
    },
    legend: narrow
      ? {
          orientation: "h",
          entrywidth: traces.filter(({ showlegend = true }) => showlegend).length > 1 ? 0.48 : 1,
          entrywidthmode: "fraction",
          x: 0,
          yref: "container",
          y: 0,
          yanchor: "bottom",
          font: { size: 10.5 },
        }
      : { x: y2 ? 1.11 : 1.01, y: 1, font: { size: 12 } },
    modebar: { bgcolor: "rgba(0,0,0,0)", color: theme["ink-faint"], activecolor: theme.accent, orientation: "h" },
    dragmode: narrow ? false : "zoom", // a finger scrolls the page
    uirevision: revision,
    autosize: true,
  };
}

/** Over how many decades positive values reach. */
function decadesOf(values) {
  const logs = values.filter((value) => value > 0).map(Math.log10);
  return logs.length ? Math.max(...logs) - Math.min(...logs) : 0;
}

function configOf(Plotly, name) {
  const save = (format) => (node) =>
    Plotly.downloadImage(node, { format, filename: name, scale: format === "png" ? 2 : 1 });
  return {
    displaylogo: false,
    showSendToCloud: false, // nothing leaves this page
    plotlyServerURL: "",
    displayModeBar: true,
    modeBarButtonsToRemove: ["toImage", "select2d", "lasso2d", "autoScale2d"],
    modeBarButtonsToAdd: [
      { name: "Download as PNG", icon: Plotly.Icons.camera, click: save("png") },
      { name: "Download as SVG", icon: SVG_ICON, click: save("svg") },
    ],
  };
}
