import {
  Counter,
  type CounterConfiguration,
  Gauge,
  type GaugeConfiguration,
  Histogram,
  type HistogramConfiguration,
  Registry,
  collectDefaultMetrics,
} from 'prom-client';
import { inTime } from '../health/in-time.js';

type Without<Configuration> = Omit<Configuration, 'registers'>;

/** The figures of this process, served at `/metrics`. Names start with `holdfast_` and end with their unit. */
export class Metrics {
  readonly registry = new Registry();

  constructor() {
    collectDefaultMetrics({ register: this.registry });
  }

  counter<Label extends string = string>(
    configuration: Without<CounterConfiguration<Label>>,
  ): Counter<Label> {
    return new Counter({ ...configuration, registers: [this.registry] });
  }

  histogram<Label extends string = string>(
    configuration: Without<HistogramConfiguration<Label>>,
  ): Histogram<Label> {
    return new Histogram({ ...configuration, registers: [this.registry] });
  }

  gauge<Label extends string = string>(
    configuration: Without<GaugeConfiguration<Label>>,
  ): Gauge<Label> {
    return new Gauge({ ...configuration, registers: [this.registry] });
  }

  /**
   * A gauge whose value is asked for when somebody collects: what is not collected costs nothing. What is undefined, late or throws is left out: the others
   * tell what is wrong.
   */
  gaugeOf(
    name: string,
    help: string,
    read: () => number | undefined | Promise<number | undefined>,
  ): void {
    this.gauge({
      name,
      help,
      async collect() {
        const value = await inTime(read, undefined).catch(() => undefined);
        if (value === undefined) this.remove();
        else this.set(value);
      },
    });
  }

  /** A counter whose total is kept elsewhere and read when somebody collects. The total never falls. */
  counterOf(name: string, help: string, readTotal: () => number): void {
    this.counter({
      name,
      help,
      collect() {
        this.reset();
        this.inc(readTotal());
      },
    });
  }
}
