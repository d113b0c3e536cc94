/** Words of this page. */
export default { en: {}, zh: {} };
