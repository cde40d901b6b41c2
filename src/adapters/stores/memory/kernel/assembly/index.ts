export { bury, chooseEntry, link, listCount, repair, setListCount } from './build';
export {
  codes,
  layout,
  levels,
  links,
  mask,
  norms,
  present,
  queryFloats,
  rowsOut,
  scales,
  scoresOut,
  seconds,
  stride,
  twins,
  upperLists,
  uppers,
} from './memory';
export { reset, tiesLeft, worst } from './pool';
export { prepareQuery } from './query';
export { encode } from './rows';
export { intersectMask, rowsWithKey, scanRows, scoreRows } from './scan';
export { clearEntry, descend, entry, entryLevel, searchLevel, searchMasked, seen, setEntry } from './search';
export { takeAbove, takeChains } from './take';
