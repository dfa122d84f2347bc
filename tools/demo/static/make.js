// Making nodes: plain HTML, SVG, and the QR pictures the server describes as one path.

const SVG = "http://www.w3.org/2000/svg";

function fill(node, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) {
    if (value === undefined || value === null || value === false) continue;
    if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
    else if (name === "text") node.textContent = value;
    else node.setAttribute(name, value === true ? "" : value);
  }
  node.append(...children.flat(Infinity).filter((child) => child !== null && child !== undefined && child !== false));
  return node;
}

export const el = (tag, attributes = {}, ...children) => fill(document.createElement(tag), attributes, children);
export const svg = (tag, attributes = {}, ...children) => fill(document.createElementNS(SVG, tag), attributes, children);

// 24 × 24, one path each: a state is never told by its colour alone.
export const ICONS = {
  free: "M12 3a9 9 0 1 0 0 18 9 9 0 0 0 0-18zm0 2.4a6.6 6.6 0 1 1 0 13.2 6.6 6.6 0 0 1 0-13.2z",
  reserved: "M6 3h12v18l-6-4.6L6 21zM8.4 5.4v10.8l3.6-2.7 3.6 2.7V5.4z",
  depositing: "M11 3h2v8h4l-5 6-5-6h4zM4 19h16v2.4H4z",
  held: "M3 8l9-5 9 5v9l-9 5-9-5zm9-2.300L6.400 8.800 12 12l5.600-3.200zM5.200 10.800v5l5.700 3.200v-5zm13.600 0l-5.700 3.200v5l5.700-3.200z",
  revoked: "M4 14h16v7H4zm8-12l6 6.500h-4V12h-4V8.500H6z",
  fault: "M12 2.500L23 21.500H1zM10.900 9v6.500h2.200V9zm0 8v2.200h2.200V17z",
  out: "M12 2.500a9.500 9.500 0 1 0 0 19 9.500 9.500 0 0 0 0-19zM6.500 10.700h11v2.600h-11z",
  unknown: "M12 3a9 9 0 1 0 0 18 9 9 0 0 0 0-18zm-1.100 13.500h2.200v2.200h-2.200zm1.200-10.300c2.400 0 4 1.400 4 3.500 0 2.300-2.900 2.900-2.900 5.300h-2.200c0-3.300 2.700-3.700 2.700-5.200 0-.9-.7-1.500-1.700-1.500-1.100 0-1.800.7-1.900 1.900H7.900c.1-2.400 1.700-4 4.200-4z",
  open: "M4 3h16v18h-7v-2.400h4.600V5.400H13V3zM4 3l8 3v17l-8-3z",
  accessible: "M12 2.200a2 2 0 1 1 0 4 2 2 0 0 1 0-4zM11 7.400h2.200v3.800h4.200l1.800 5.600 1.600-.5.600 2-3.600 1.100-2-6.100H11zM9.600 10v2.300a4.200 4.200 0 1 0 5.200 5.500h2.200A6.300 6.300 0 1 1 9.600 10z",
  courier: "M2 5h12v11H2zm13 3h4l3 4v4h-7zM6.500 15a2.500 2.500 0 1 1 0 5 2.500 2.500 0 0 1 0-5zm11 0a2.500 2.500 0 1 1 0 5 2.500 2.500 0 0 1 0-5z",
  customer: "M12 3a4.500 4.500 0 1 1 0 9 4.500 4.500 0 0 1 0-9zM3.500 21c0-4.500 3.500-7.300 8.500-7.300s8.500 2.800 8.500 7.300z",
  merchant: "M3 4h18l1 6a3 3 0 0 1-2 2.800V21H4v-8.200A3 3 0 0 1 2 10zm3.200 9.200V18.600H17.800v-5.400a3.400 3.400 0 0 1-2.900-1.300 3.700 3.700 0 0 1-5.800 0 3.400 3.400 0 0 1-2.900 1.300z",
  operator: "M2.500 3.500h19v13h-8.100v2.100H17V21H7v-2.400h3.600v-2.100H2.500zM5 6v8h14V6zm1.800 4.500h2.600l1.500-2.900 2.300 5 1.200-2.100h2.800V12h-1.900l-2.100 3.200-2.400-5.200-.8 1.900H6.800z",
  technician: "M21 6.200a5.600 5.600 0 0 1-7.400 6.600L6.300 20.100a2 2 0 0 1-2.800-2.800l7.300-7.300A5.600 5.600 0 0 1 17.400 2.600L14 6l.7 2.900 2.900.7z",
};

export function icon(name) {
  return svg("svg", { viewBox: "0 0 24 24", "aria-hidden": "true" }, svg("path", { d: ICONS[name] ?? ICONS.unknown, "fill-rule": "evenodd" }));
}

export function qr(picture, label) {
  return svg(
    "svg",
    { viewBox: `0 0 ${picture.size} ${picture.size}`, class: "qr", role: "img", "aria-label": label, "shape-rendering": "crispEdges" },
    svg("rect", { width: picture.size, height: picture.size, fill: "#fff" }),
    svg("path", { d: picture.path, stroke: "#111", "stroke-width": 1 }),
  );
}

export const groups = (digits) => digits.match(/.{1,3}/g) ?? [];
