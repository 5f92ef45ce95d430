// Tells when it is on the reader's own clock, where that is another than the event's.
for (const each of document.querySelectorAll("[data-local]")) {
  const { local, ends, zone, said } = each.dataset;
  const mine = Intl.DateTimeFormat().resolvedOptions().timeZone;
  if (mine === zone) continue;
  const shown = new Intl.DateTimeFormat(document.documentElement.lang, { dateStyle: "full", timeStyle: "short" });
  each.textContent = `${said} ${shown.formatRange(new Date(local), new Date(ends))}`;
  each.hidden = false;
}
