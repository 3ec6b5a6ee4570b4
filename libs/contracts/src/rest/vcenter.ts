import { z } from 'zod';

/** Without control characters and halves of characters: neither rows nor requests to vCenter can hold them. */
const plain = (max: number) =>
  z
    .string()
    .min(1)
    .max(max)
    .regex(/^[^\p{Cc}\p{Cs}]+$/u, 'no control characters');

/** What a request and a stored connection say of a vCenter. */
export const VCENTER_FIELDS = {
  server: z
    .string()
    .min(1)
    .max(256)
    .regex(/^[^\s\p{Cc}\p{Cs}]+$/u, 'a host name, with a port where it is not 443'),
  username: plain(256),
  password: z.string().min(1).max(1024),
  datacenter: plain(256),
  ca_pem: z
    .string()
    .max(65_536)
    .regex(/^[\t\n\r -~]*-----BEGIN CERTIFICATE-----[\t\n\r -~]*$/, 'a certificate in PEM form'),
  thumbprint: z
    .string()
    .regex(/^([0-9A-Fa-f]{2}:?){31}[0-9A-Fa-f]{2}$/, 'the SHA-256 of a certificate: 64 hexadecimal digits'),
};
const { server, username, password, datacenter, ca_pem, thumbprint } = VCENTER_FIELDS;

/** The seed's `vcenter` object. What is missing comes from the gateway's `vsphere` section. */
export const VcenterRequest = z.strictObject({
  /** Host name, or the name of a stored connection, whose login is used then. */
  server: server.optional(),
  username: username.optional(),
  password: password.optional(),
  datacenter: datacenter.optional(),
  ca_pem: ca_pem.optional(),
  thumbprint: thumbprint.optional(),
  insecure: z.boolean().optional(),
});
export type VcenterRequest = z.infer<typeof VcenterRequest>;
