/** Addresses of studies and their trials: the server's, and those of the page. */

/** @param {string} id @param {string} [rest] */
export function studyPath(id, rest) {
  const path = `/api/studies/${encodeURIComponent(id)}`;
  return rest === undefined ? path : `${path}/${rest}`;
}

/** @param {string} id */
export function studyHash(id) {
  return `#/studies/${encodeURIComponent(id)}`;
}

/** @param {string} id @param {number} number */
export function trialHash(id, number) {
  return `${studyHash(id)}/trials/${number}`;
}

/** The page of an architecture search. @param {string} id */
export function searchHash(id) {
  return `#/search/${encodeURIComponent(id)}`;
}
