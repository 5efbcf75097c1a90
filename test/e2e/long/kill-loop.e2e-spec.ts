import { describeKillLoop } from '../kill-loop.js';

describeKillLoop(30);
