export { PlainStateStore } from './plain-state-store.js';
export { type Beside, type Expectations, specify } from './specify.js';
