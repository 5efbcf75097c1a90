import { describeKillLoop } from './kill-loop.js';

// As many as someone who waits for it has time for; the long suite takes fifty.
describeKillLoop(3);
