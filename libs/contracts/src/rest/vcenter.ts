import { z } from 'zod';

/** The seed's `vcenter` object. What is missing comes from the gateway's `vsphere` section. */
export const VcenterRequest = z.strictObject({
  /** Host name, or the name of a stored connection, whose login is used then. */
  server: z.string().min(1).optional(),
  username: z.string().min(1).optional(),
  password: z.string().min(1).optional(),
  datacenter: z.string().min(1).optional(),
  ca_pem: z.string().optional(),
  thumbprint: z.string().optional(),
  insecure: z.boolean().optional(),
});
export type VcenterRequest = z.infer<typeof VcenterRequest>;
