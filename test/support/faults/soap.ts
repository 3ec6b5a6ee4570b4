/** The SOAP that the proxy looks into and answers with. */

/** Of a request: the first element within Body. */
export const methodOf = (envelope: string): string | undefined =>
  /<(?:[\w-]+:)?Body[^>]*>\s*<(?:[\w-]+:)?(\w+)/.exec(envelope)?.[1];

const wrap = (body: string): string =>
  '<?xml version="1.0" encoding="UTF-8"?>' +
  '<soapenv:Envelope xmlns:soapenv="http://schemas.xmlsoap.org/soap/envelope/" ' +
  'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xmlns:xsd="http://www.w3.org/2001/XMLSchema">' +
  `<soapenv:Body>${body}</soapenv:Body></soapenv:Envelope>`;

/** As vCenter tells one, with HTTP 500. */
export const soapFault = (name: string, words: string): string =>
  wrap(
    `<soapenv:Fault><faultcode>ServerFaultCode</faultcode><faultstring>${words}</faultstring>` +
      `<detail><${name}Fault xmlns="urn:vim25" xsi:type="${name}"/></detail></soapenv:Fault>`,
  );

export interface ManifestEntry {
  key: string;
  sha1: string;
  size: number;
}

export const manifestAnswer = (entries: readonly ManifestEntry[]): string => {
  const rows = entries.map(
    ({ key, sha1, size }) =>
      `<returnval><key>${key}</key><sha1>${sha1}</sha1><size>${size}</size><disk>true</disk></returnval>`,
  );
  return wrap(`<HttpNfcLeaseGetManifestResponse xmlns="urn:vim25">${rows.join('')}</HttpNfcLeaseGetManifestResponse>`);
};

/** Keys and paths of the disks in a lease that passes. */
export function leaseDisks(answer: string): { key: string; path: string }[] {
  const pattern = /<deviceUrl[^>]*>|<HttpNfcLeaseDeviceUrl[^>]*>/;
  return answer
    .split(pattern)
    .slice(1)
    .flatMap((part) => {
      const key = /<key>([^<]*)<\/key>/.exec(part)?.[1];
      const path = /<url>https?:\/\/[^/<]+(\/[^<?]*)/.exec(part)?.[1];
      return key === undefined || path === undefined ? [] : [{ key, path: decodeURIComponent(path) }];
    });
}
