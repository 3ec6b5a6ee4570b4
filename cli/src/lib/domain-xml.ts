/** What a virt-install line needs of a domain.xml that the converter wrote. */
export interface DomainFacts {
  /** libvirt's name, which may differ from the VM's. */
  readonly name: string | undefined;
  readonly uuid: string | undefined;
  /** libosinfo's id of the guest's system. */
  readonly osinfo: string | undefined;
  readonly topology: { readonly sockets: string; readonly cores: string } | undefined;
  readonly disks: readonly { readonly file: string; readonly format: string; readonly bus: string }[];
  readonly nics: readonly { readonly source: string; readonly model: string; readonly mac: string | undefined }[];
  readonly machine: string | undefined;
  readonly loader: string | undefined;
  readonly nvram: string | undefined;
  readonly nvramTemplate: string | undefined;
  readonly secureBoot: boolean;
  /** Of loader and NVRAM, where it is said: raw otherwise. */
  readonly firmwareFormat: string | undefined;
  /** Windows takes the clock for local time. */
  readonly localtime: boolean;
  readonly tpm: boolean;
}

/** Reads the XML as libvirt and our converter write it; this is no general XML reader. */
export function readDomainXml(xml: string): DomainFacts {
  return {
    name: text(xml, 'name'),
    uuid: text(xml, 'uuid'),
    osinfo: attribute(xml, 'libosinfo:os', 'id'),
    topology: topologyOf(xml),
    disks: blocks(xml, 'disk').flatMap((disk) => {
      const file = attribute(disk, 'source', 'file');
      if (file === undefined) return [];
      return [
        {
          file,
          format: attribute(disk, 'driver', 'type') ?? 'qcow2',
          bus: attribute(disk, 'target', 'bus') ?? 'virtio',
        },
      ];
    }),
    nics: blocks(xml, 'interface').map((nic) => {
      const network = attribute(nic, 'source', 'network');
      const bridge = attribute(nic, 'source', 'bridge');
      return {
        source: bridge === undefined ? `network=${network ?? 'default'}` : `bridge=${bridge}`,
        model: attribute(nic, 'model', 'type') ?? 'virtio',
        mac: attribute(nic, 'mac', 'address'),
      };
    }),
    machine: attribute(xml, 'type', 'machine'),
    loader: text(xml, 'loader'),
    nvram: text(xml, 'nvram'),
    nvramTemplate: attribute(xml, 'nvram', 'template'),
    secureBoot: attribute(xml, 'loader', 'secure') === 'yes',
    firmwareFormat: attribute(xml, 'loader', 'format'),
    localtime: attribute(xml, 'clock', 'offset') === 'localtime',
    tpm: blocks(xml, 'tpm').length > 0,
  };
}

function topologyOf(xml: string): DomainFacts['topology'] {
  const [sockets, cores] = [attribute(xml, 'topology', 'sockets'), attribute(xml, 'topology', 'cores')];
  return sockets === undefined || cores === undefined ? undefined : { sockets, cores };
}

const ENTITIES: Readonly<Record<string, string>> = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'" };
const decode = (value: string): string =>
  value.replaceAll(/&(amp|lt|gt|quot|apos);/g, (_, name: string) => ENTITIES[name] ?? '');

const blocks = (xml: string, element: string): string[] =>
  [...xml.matchAll(new RegExp(`<${element}(?=[\\s>])[\\s\\S]*?</${element}>`, 'g'))].map(([block]) => block);

function attribute(xml: string, element: string, name: string): string | undefined {
  const found = new RegExp(`<${element}\\s[^>]*?\\b${name}=(?:'([^']*)'|"([^"]*)")`).exec(xml);
  const value = found?.[1] ?? found?.[2];
  return value === undefined ? undefined : decode(value);
}

function text(xml: string, element: string): string | undefined {
  const value = new RegExp(`<${element}(?:\\s[^>]*)?>([^<]*)</${element}>`).exec(xml)?.[1]?.trim();
  return value === undefined || value === '' ? undefined : decode(value);
}
