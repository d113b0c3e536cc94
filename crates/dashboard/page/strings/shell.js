/** Words of the frame. */
export default {
  en: {
    "nav.label": "Pages",
    "nav.skip": "Skip to the content",
    "nav.runs": "Runs",
    "nav.studies": "Studies",
    "nav.blocks": "Blocks",
    "nav.try": "Try",
    "theme.dark": "Dark colors",
    "theme.light": "Light colors",
    "shell.loading": "Loading…",
    "shell.dismiss": "Dismiss",
    "shell.failed": "This page could not be shown",
  },
  zh: {
    "nav.label": "页面",
    "nav.skip": "跳到正文",
    "nav.runs": "训练",
    "nav.studies": "调优",
    "nav.blocks": "搭建",
    "nav.try": "试一试",
    "theme.dark": "深色",
    "theme.light": "浅色",
    "shell.loading": "正在载入…",
    "shell.dismiss": "关闭",
    "shell.failed": "页面未能显示",
  },
};
