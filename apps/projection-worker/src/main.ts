import { systemClock } from '@holdfast/kernel';
console.log(systemClock.nowMillis());
