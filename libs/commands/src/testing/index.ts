export { PlainStateStore } from './plain-state-store.js';
export { type Beside, specify } from './specify.js';
