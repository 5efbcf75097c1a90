export { runs } from './runs.js';
