import type { Resolve } from '../devices.js';
import type { StepContext } from '../step.js';
import { planUnit, swapUnitName } from './units.js';

const FOLDER = '/etc/systemd/system';
/** More units than this are none of a person's. */
const UNITS_LIMIT = 256;

/** Mount and swap units that somebody wrote by hand. */
export async function fixUnits(context: StepContext, resolve: Resolve): Promise<void> {
  const { appliance, concern, edit } = context;
  const names = (await appliance.list(FOLDER)).filter((name) => /\.(?:mount|swap)$/.test(name));
  for (const name of names.slice(0, UNITS_LIMIT)) {
    const file = `${FOLDER}/${name}`;
    const text = await appliance.readText(file);
    if (text === undefined) continue;
    const plan = planUnit(name, text, resolve);
    if (plan.unresolved !== undefined)
      concern(
        'FSTAB_DEVICE_UNKNOWN',
        `${file}: What=${plan.unresolved} names hardware, and no file system of this VM is certainly meant`,
      );
    if (plan.edit === undefined) continue;
    const summary = `${plan.edit.from} → ${plan.edit.to}`;
    if (name.endsWith('.mount')) await edit(file, text, plan.text, summary);
    else await renamed(context, name, plan.text, plan.edit.to, summary);
  }
}

/** systemd loads no swap unit that is not named after its device. */
async function renamed(
  { appliance, edit, change }: StepContext,
  name: string,
  text: string,
  device: string,
  summary: string,
): Promise<void> {
  const next = swapUnitName(device);
  await edit(`${FOLDER}/${next}`, undefined, text, summary);
  await appliance.call(['rm', `${FOLDER}/${name}`]);
  change(`${FOLDER}/${name}`, `renamed to ${next}, as its device is`);
  for (const folder of (await appliance.list(FOLDER)).filter((each) => /\.(?:wants|requires)$/.test(each))) {
    if (!(await appliance.list(`${FOLDER}/${folder}`)).includes(name)) continue;
    await appliance.call(['rm', `${FOLDER}/${folder}/${name}`]);
    await appliance.call(['ln-sf', `../${next}`, `${FOLDER}/${folder}/${next}`]);
  }
}
