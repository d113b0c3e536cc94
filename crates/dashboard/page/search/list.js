/** The list of architecture searches: the studies that have a grammar. */

import { searchHash } from "../studies/path.js";
import { show } from "../studies/list.js";

/** @param {HTMLElement} root @param {import("../router.js").Visit} visit */
export function view(root, visit) {
  return show(root, visit, {
    nav: "search", query: { searches: true }, has: (row) => row.is_search, hash: searchHash, none: "search.none", command: "danlu search lenet-space",
  });
}
