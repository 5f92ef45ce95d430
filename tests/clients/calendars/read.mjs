// What ical.js, the parser of Thunderbird, reads in calendar.ics and works out of the rules in series.json, as moments.
import { readFileSync } from "node:fs";
import ICAL from "ical.js";

const calendar = new ICAL.Component(ICAL.parse(readFileSync("calendar.ics", "utf8")));
for (const zone of calendar.getAllSubcomponents("vtimezone")) ICAL.TimezoneService.register(zone);

const events = calendar.getAllSubcomponents("vevent").map((each) => {
  const event = new ICAL.Event(each);
  return [event.uid, event.summary, event.startDate.toJSDate().toISOString(), event.endDate.toJSDate().toISOString()];
});

const series = JSON.parse(readFileSync("series.json", "utf8")).map(({ rule, start, off, added, number }) => {
  const event = new ICAL.Component("vevent");
  event.addPropertyWithValue("rrule", ICAL.Recur.fromString(rule));
  for (const [name, moments] of Object.entries({ dtstart: [start], exdate: off, rdate: added }))
    for (const moment of moments) event.addPropertyWithValue(name, ICAL.Time.fromString(moment));
  const times = new ICAL.Event(event).iterator();
  const found = [];
  for (let next = times.next(); next && found.length < number; next = times.next()) found.push(next.toString());
  return found;
});

console.log(JSON.stringify({ events, series }));
