/** The architecture as a picture, by Graphviz: a box for each room, its folders in it, and every arrow down. */
import { instance } from '@viz-js/viz';
import { reduced } from './imports.js';

const TITLE_HEIGHT = 30;
const MARGIN = 8;
const FONT = 'fontname="Helvetica,Arial,sans-serif"';
/** A box of many alike names is this wide at most. */
const LINE_CHARACTERS = 34;
const COLOURS = { libs: '#e8f0fa', apps: '#fdf3e1', config: '#eef5e9' };

const viz = await instance();

/** The same text for the same imports. */
export function draw({ rooms, arrows }) {
  const boxes = rooms.map((room) => ({ name: room.name, ...insideOf(room) }));
  const graph = `digraph { bgcolor=white; ranksep=0.45; nodesep=0.35; pad=0.2
    node [shape=box, style="rounded,filled", ${FONT}, fontsize=15, fixedsize=true, color="#6b7a90"]
    edge [color="#44546a", arrowsize=0.8]
    ${boxes.map(roomNode).join('\n')}
    ${sideBySide(rooms)}
    ${reduced(arrows).map(arrowText).join('\n')}
  }`;
  const { objects } = viz.renderJSON(graph);
  const places = new Map(objects.map(({ name, pos }) => [name, pos?.split(',').map(Number)]));
  const nested = boxes.map((box) => placed(box, places.get(box.name))).join('');
  return withoutNames(viz.renderString(graph, { format: 'svg' })).replace(
    /<\/g>\s*<\/svg>\s*$/,
    `${nested}</g>\n</svg>\n`,
  );
}

/** The applications stand side by side at the top. */
function sideBySide(rooms) {
  const apps = rooms.filter(({ name }) => name.startsWith('apps/'));
  return `{ rank=source; ${apps.map(({ name }) => quoted(name)).join('; ')} }`;
}

function roomNode({ name, width, height, drawing }) {
  const inches = (points) => (points / 72).toFixed(3);
  const label = drawing === '' ? '' : 'label="", ';
  const colour = COLOURS[name.split('/')[0]] ?? COLOURS.libs;
  return `${quoted(name)} [${label}fillcolor="${colour}", width=${inches(width)}, height=${inches(height)}]`;
}

function insideOf({ name, folders, arrows }) {
  const titleWidth = 30 + 9 * name.length;
  if (folders.length === 1) return { width: titleWidth, height: 40, drawing: '' };
  const boxes = alike(folders, reduced(arrows));
  const graph = `digraph { bgcolor=transparent; ranksep=0.25; nodesep=0.15; pad=0.03
    node [shape=box, style="rounded,filled", fillcolor=white, color="#8a97a8", ${FONT}, fontsize=11, height=0.3, margin="0.22,0.05"]
    edge [color="#8a97a8", arrowsize=0.6]
    ${boxes.nodes.map((names) => `${quoted(names[0])} [label=${quoted(lines(names).join('\\n'))}]`).join('\n')}
    ${boxes.arrows.map(arrowText).join('\n')}
  }`;
  const svg = withoutNames(viz.renderString(graph, { format: 'svg' }));
  const [, width, height] = /<svg width="([\d.]+)pt" height="([\d.]+)pt"/.exec(svg);
  return {
    width: Math.max(titleWidth, Number(width) + 2 * MARGIN),
    height: Number(height) + TITLE_HEIGHT + MARGIN,
    drawing: svg,
    drawingWidth: Number(width),
  };
}

/** Folders that import the same and are imported by the same stand in one box. */
function alike(folders, arrows) {
  const ends = (name, own, other) =>
    arrows
      .filter((arrow) => arrow[own] === name)
      .map((arrow) => arrow[other])
      .join();
  const groups = Map.groupBy(
    folders,
    (name) => `${ends(name, 0, 1)} < ${ends(name, 1, 0)}${alone(name)}`,
  );
  const nodes = [...groups.values()];
  const first = new Map(nodes.flatMap((names) => names.map((name) => [name, names[0]])));
  const between = arrows.map((arrow) => arrow.map((name) => first.get(name)).join('\n'));
  return { nodes, arrows: [...new Set(between)].map((text) => text.split('\n')) };
}

/** `entry` and `words` are no folders. */
function alone(name) {
  return ['entry', 'words'].includes(name) ? name : '';
}

function lines(names) {
  const full = [''];
  for (const name of names) {
    const longer = full.at(-1) === '' ? name : `${full.at(-1)} · ${name}`;
    if (longer.length <= LINE_CHARACTERS || full.at(-1) === '') full[full.length - 1] = longer;
    else full.push(name);
  }
  return full;
}

function placed({ name, width, height, drawing, drawingWidth }, [x, y]) {
  if (drawing === '') return '';
  const title = `<text x="${x}" y="${(21 - y - height / 2).toFixed(2)}" text-anchor="middle" font-family="Helvetica,Arial,sans-serif" font-size="15.00">${name}</text>\n`;
  const left = (x - width / 2 + (width - drawingWidth) / 2).toFixed(2);
  const top = (-y - height / 2 + TITLE_HEIGHT).toFixed(2);
  // A point of the inner drawing is as long as one of the outer.
  const nested = drawing.replace(
    /<svg width="([\d.]+)pt" height="([\d.]+)pt"/,
    `<svg x="${left}" y="${top}" width="$1" height="$2"`,
  );
  return title + nested;
}

/** Without the heading of a file of its own, names for a pointer that rests, and the drawer's version. */
function withoutNames(svg) {
  return svg
    .replace(/^[^]*?(?=<svg )/, '')
    .replace(/<!--[^]*?-->\n?/g, '')
    .replace(/<title>[^]*?<\/title>\n?/g, '')
    .replace(/ id="[^"]*"/g, '');
}

function arrowText([from, to]) {
  return `${quoted(from)} -> ${quoted(to)}`;
}

function quoted(text) {
  return `"${text}"`;
}
