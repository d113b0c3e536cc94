/** Words of the list of runs and of a run. */
export default { en: {}, zh: {} };
