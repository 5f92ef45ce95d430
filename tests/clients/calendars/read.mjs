// What ical.js, the parser of Thunderbird, reads in calendar.ics and works out of the rules in series.json, as moments.
import { readFileSync } from "node:fs";
import ICAL from "ical.js";

const calendar = new ICAL.Component(ICAL.parse(readFileSync("calendar.ics", "utf8")));
for (const zone of calendar.getAllSubcomponents("vtimezone")) ICAL.TimezoneService.register(zone);

const events = calendar.getAllSubcomponents("vevent").map((each) => {
  const event = new ICAL.Event(each);
  return [event.uid, event.summary, event.startDate.toJSDate().toISOString(), event.endDate.toJSDate().toISOString()];
});

const series = JSON.parse(readFileSync("series.json", "utf8")).map(({ rule, start, number }) => {
  const times = ICAL.Recur.fromString(rule).iterator(ICAL.Time.fromString(start));
  const found = [];
  for (let next = times.next(); next && found.length < number; next = times.next()) found.push(next.toString());
  return found;
});

console.log(JSON.stringify({ events, series }));
