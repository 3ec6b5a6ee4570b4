import { Mac, type Nic } from '@hyper2kvm/contracts';
import { attribute, child, children, text, type Element } from './xml.js';

/** An item of a VirtualHardwareSection: CIM's resource allocation setting. */
export interface Item {
  readonly type: number;
  readonly element: Element;
  readonly id: string;
  readonly parent: string | undefined;
}

/** CIM's resource types. */
export const TYPE = { cpu: 3, memory: 4, ide: 5, scsi: 6, ethernet: 10, disk: 17, otherStorage: 20, sata: 21 } as const;

/** As CIM has it for memory without units, and as everybody writes it. */
const CONTROLLER_RANK: Record<number, number> = {
  [TYPE.ide]: 0,
  [TYPE.scsi]: 1,
  [TYPE.otherStorage]: 2,
  [TYPE.sata]: 2,
};

/** Items that hold in the default configuration; limits (`bound`) are none. */
export function readItems(hardware: Element, configuration: string | undefined): Item[] {
  const all = ['Item', 'StorageItem', 'EthernetPortItem'].flatMap((name) => children(hardware, name));
  const items = new Map<string, Item>();
  for (const special of [false, true])
    for (const element of all) {
      const only = attribute(element, 'configuration');
      if ((only !== undefined) !== special || attribute(element, 'bound') !== undefined) continue;
      if (only !== undefined && !only.split(/\s+/).includes(configuration ?? '')) continue;
      const type = Number(text(element, 'ResourceType'));
      const id = text(element, 'InstanceID') ?? `item ${items.size}`;
      items.set(id, { type, element, id, parent: text(element, 'Parent') });
    }
  return [...items.values()];
}

/** The disks' items in the order of their controllers, as vCenter numbers these: IDE, SCSI, SATA, NVMe. */
export function inControllerOrder(items: readonly Item[]): { item: Item; controller: string | undefined }[] {
  const byId = new Map(items.map((item) => [item.id, item]));
  return items
    .filter(({ type }) => type === TYPE.disk)
    .map((item, position) => {
      const controller = item.parent === undefined ? undefined : byId.get(item.parent);
      const order = [
        rank(controller),
        number(controller?.element, 'Address') ?? 0,
        number(controller?.element, 'InstanceID') ?? 0,
        number(item.element, 'AddressOnParent') ?? position,
        position,
      ];
      return { item, controller: controller === undefined ? undefined : controllerName(controller), order };
    })
    .toSorted((a, b) => {
      const at = a.order.findIndex((value, index) => value !== b.order[index]);
      return (a.order[at] ?? 0) - (b.order[at] ?? 0);
    });
}

const number = (element: Element | undefined, name: string): number | undefined => {
  const value = text(element, name);
  return value !== undefined && /^\d{1,9}$/.test(value) ? Number(value) : undefined;
};

const rank = (controller: Item | undefined): number => {
  if (controller === undefined) return 9;
  const nvme = /nvme/i.test(text(controller.element, 'ResourceSubType') ?? '');
  return nvme ? 3 : (CONTROLLER_RANK[controller.type] ?? 4);
};

/** vSphere's name of its class, and the bus: what the machine of a vCenter has there. */
function controllerName({ type, element }: Item): string {
  const subtype = (text(element, 'ResourceSubType') ?? '').toLowerCase();
  const bus = number(element, 'Address') ?? 0;
  const kind = subtype.includes('nvme')
    ? 'VirtualNVMEController'
    : type === TYPE.ide
      ? 'VirtualIDEController'
      : type === TYPE.scsi
        ? scsi(subtype)
        : 'VirtualAHCIController';
  return `${kind}${bus}`;
}

function scsi(subtype: string): string {
  if (subtype.includes('lsilogicsas')) return 'VirtualLsiLogicSASController';
  if (subtype.includes('lsilogic')) return 'VirtualLsiLogicController';
  return subtype.includes('buslogic') ? 'VirtualBusLogicController' : 'ParaVirtualSCSIController';
}

export function readNics(items: readonly Item[]): Nic[] {
  return items
    .filter(({ type }) => type === TYPE.ethernet)
    .map(({ element }, position) => {
      const mac = Mac.safeParse(text(element, 'Address') ?? text(element, 'MACAddress'));
      const network = text(element, 'Connection');
      return {
        label: text(element, 'ElementName') ?? `Network adapter ${position + 1}`,
        // Several are what the target may choose from.
        type: (text(element, 'ResourceSubType')?.split(/\s+/)[0] ?? 'unknown').toLowerCase(),
        ...(mac.success ? { mac: mac.data } : {}),
        ...(network === undefined ? {} : { network }),
      };
    });
}

/** `vmw:Config`, VMware's settings beside the standard's. */
export function vmwareSetting(hardware: Element, key: string): string | undefined {
  const found = children(hardware, 'Config').find((config) => attribute(config, 'key') === key);
  return attribute(found, 'value');
}

export const quantity = (item: Item | undefined): { value: string | undefined; units: string | undefined } => ({
  value: text(item?.element, 'VirtualQuantity'),
  units: text(item?.element, 'AllocationUnits') ?? text(child(item?.element, 'VirtualQuantityUnits')),
});
