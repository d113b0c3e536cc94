/** The page of an architecture search: what a study's page does not show; while it goes on, what is in view follows. */

import { events, get, stillThere } from "../api.js";
import { el, replace } from "../dom.js";
import { t } from "../i18n.js";
import { fail } from "../router.js";
import { frontPart } from "../studies/front.js";
import { headView, waitForStore } from "../studies/head.js";
import { studyHash, studyPath } from "../studies/path.js";
import { ChildCard, Networks, showOnHover } from "./child.js";
import { decisionsPart } from "./decisions.js";
import { HAS_PARENTS, familyPart } from "./family.js";
import { galleryPart } from "./gallery.js";
import { rewardsPart } from "./rewards.js";
import { stepParts } from "./steps.js";

/** @param {HTMLElement} root @param {import("../router.js").Visit} visit */
export async function view(root, { parts: [id], signal }) {
  const place = el("div");
  replace(root, el("p", { class: "crumb" }, el("a", { href: "#/search" }, t("nav.search"))), el("h1", {}, id), place);
  const detail = await get(studyPath(id), { signal });
  const head = headView(detail, signal, { best: !detail.row.is_search });
  if (detail.row.state === "unreadable") {
    replace(place, head.node);
    waitForStore(id, head, signal);
    return;
  }
  if (!detail.row.is_search) {
    replace(place, head.node, el("p", { class: "nothing" }, el("a", { href: studyHash(id) }, t("search.noGrammar"))));
    head.update(detail);
    return;
  }
  const search = new SearchPage(id, detail, signal);
  head.links.append(el("a", { class: "button", href: studyHash(id), data: { test: "as-study" } }, t("search.asStudy")));
  replace(place, head.node, search.node);
  head.update(detail);
  let told = detail.revision;
  const gone = () => fail(new Error(t("study.gone")));
  events(studyPath(id, "events"), {
    study: (news) => {
      head.update(news);
      if (news.revision !== told) search.changed();
      told = news.revision;
    },
    gone,
  }, signal, stillThere(studyPath(id), gone, signal));
}

/** The charts, each of which knows when to draw. */
class SearchPage {
  /** @param {string} id @param {any} detail @param {AbortSignal} signal */
  constructor(id, detail, signal) {
    const objective = detail.row.objectives[0];
    const networks = new Networks(id, signal);
    const card = () => new ChildCard(id, objective, networks);
    const costs = ["parameters", "multiply_adds"].map((cost) => frontPart(id, signal, {
      name: `costs-${cost}`, title: t(`search.costs.${cost}`), path: "costs", query: { cost },
      onChart: (chart) => showOnHover(chart, networks, null, (number) => ({ number, value: null })),
    }));
    this.steps = stepParts(id, objective, signal);
    this.parts = [
      rewardsPart(id, networks, card(), signal), galleryPart(id, networks, signal), ...this.steps.parts, decisionsPart(id, signal),
      ...(HAS_PARENTS.includes(detail.row.sampler) ? [familyPart(id, networks, card(), signal)] : []), ...costs,
    ];
    this.node = el("div", { class: "study-parts search-parts" }, this.parts.map((one) => one.node));
  }

  changed() {
    this.steps.forget();
    for (const one of this.parts) one.changed();
  }
}
