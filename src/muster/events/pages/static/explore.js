// The map of what the list shows. Without WebGL the list is all there is, and enough.
const place = document.getElementById("map");
const seen = document.getElementById("seen");
const MOST_LINKS = 12;
const RADIUS = 13;

function colour(name) {
  const probe = document.createElement("span");
  probe.style.color = `var(${name})`;
  place.append(probe);
  const found = getComputedStyle(probe).color;
  probe.remove();
  return found;
}

// Lines every ten degrees: without any other map below, they tell where one is and that it moves.
function graticule() {
  const lines = [];
  for (let at = -180; at <= 180; at += 10) lines.push([[at, -85], [at, 85]]);
  for (let at = -80; at <= 80; at += 10) lines.push([[-180, at], [180, at]]);
  return { type: "Feature", properties: {}, geometry: { type: "MultiLineString", coordinates: lines } };
}

// Numbers are drawn as pictures, since a font would have to come from somewhere.
function badge(text) {
  const scale = 2;
  const canvas = document.createElement("canvas");
  canvas.width = canvas.height = 2 * RADIUS * scale;
  const pen = canvas.getContext("2d");
  pen.scale(scale, scale);
  pen.fillStyle = colour("--brand");
  pen.beginPath();
  pen.arc(RADIUS, RADIUS, RADIUS - 1, 0, 2 * Math.PI);
  pen.fill();
  pen.fillStyle = colour("--on-brand");
  pen.font = `600 ${text.length > 2 ? 9 : 12}px system-ui, sans-serif`;
  pen.textAlign = "center";
  pen.textBaseline = "middle";
  pen.fillText(text, RADIUS, RADIUS + 0.5);
  return pen.getImageData(0, 0, canvas.width, canvas.height);
}

function short(count) {
  return count < 1000 ? String(count) : `${Math.floor(count / 1000)}k`;
}

function style() {
  return {
    version: 8,
    sources: {
      lines: { type: "geojson", data: graticule() },
      events: { type: "vector", tiles: [location.origin + place.dataset.tiles], maxzoom: 18 },
    },
    layers: [
      { id: "paper", type: "background", paint: { "background-color": colour("--paper") } },
      { id: "lines", type: "line", source: "lines", paint: { "line-color": colour("--line") } },
      {
        id: "events", type: "symbol", source: "events", "source-layer": "events",
        layout: { "icon-image": ["concat", "n", ["get", "count"]], "icon-allow-overlap": true },
      },
    ],
  };
}

// What is in sight, as links: for who does not use a mouse, and to read.
function tellSeen(map) {
  const found = new Map();
  for (const { properties } of map.queryRenderedFeatures({ layers: ["events"] }))
    if (properties.id) found.set(properties.id, properties);
  const links = [...found.values()].sort((one, other) => one.startsAt.localeCompare(other.startsAt)).slice(0, MOST_LINKS);
  seen.querySelector("ul").replaceChildren(...links.map(({ id, title }) => {
    const link = document.createElement("a");
    link.href = `/e/${id}`;
    link.textContent = title;
    const item = document.createElement("li");
    item.append(link);
    return item;
  }));
  seen.hidden = links.length === 0;
}

function fit(map) {
  const bounds = new maplibregl.LngLatBounds();
  for (const { geometry } of map.querySourceFeatures("events", { sourceLayer: "events" })) bounds.extend(geometry.coordinates);
  if (!bounds.isEmpty()) map.fitBounds(bounds, { padding: 60, maxZoom: 11, animate: false });
}

function draw() {
  const map = new maplibregl.Map({
    container: place, style: style(), center: [10, 30], zoom: 0, maxZoom: 18, attributionControl: false,
    dragRotate: false, cooperativeGestures: false, renderWorldCopies: false,
    locale: {
      "Map.Title": place.dataset.name,
      "NavigationControl.ZoomIn": place.dataset.closer,
      "NavigationControl.ZoomOut": place.dataset.farther,
    },
  });
  map.touchZoomRotate.disableRotation();
  map.addControl(new maplibregl.NavigationControl({ showCompass: false }));
  map.on("styleimagemissing", ({ id }) => {
    if (!map.hasImage(id)) map.addImage(id, badge(short(Number(id.slice(1)))), { pixelRatio: 2 });
  });
  map.on("click", "events", ({ features: [{ properties, geometry }] }) => {
    if (properties.id) location.assign(`/e/${properties.id}`);
    else map.easeTo({ center: geometry.coordinates, zoom: map.getZoom() + 2 });
  });
  map.on("mouseenter", "events", () => { map.getCanvas().style.cursor = "pointer"; });
  map.on("mouseleave", "events", () => { map.getCanvas().style.cursor = ""; });
  map.once("idle", () => {
    fit(map);
    map.on("idle", () => { tellSeen(map); place.dataset.drawn = "true"; });
    map.triggerRepaint();
  });
  place.map = map;
}

if (document.createElement("canvas").getContext("webgl2")) {
  place.hidden = false;
  draw();
}
