import type { Lab } from '../../lab.js';
import { CASES, describeCase, type Case, type CaseName } from './cases.js';
import { measureService, type ServiceMeasurement } from './measure-service.js';
import { measureUpgrade, type UpgradeMeasurement } from './measure-upgrade.js';

/** One case in one run: an upgrade, or what a service lost while it was prepared. */
export interface Measured {
  readonly run: number;
  readonly name: CaseName;
  readonly what: string;
  readonly upgrade?: UpgradeMeasurement;
  readonly service?: ServiceMeasurement;
}

export async function measure(lab: Lab, name: CaseName, run: number): Promise<Measured> {
  const each: Case = CASES[name];
  const measured = each.command === 'segue prepare' ? { service: await measureService(lab, each) } : { upgrade: await measureUpgrade(lab, each) };
  return { run, name, what: describeCase(each), ...measured };
}
