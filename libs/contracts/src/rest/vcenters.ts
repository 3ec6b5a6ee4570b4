import { z } from 'zod';
import { Timestamp, Token } from '../words.js';
import { checkVcenter } from '../events/requests.js';
import { VCENTER_FIELDS } from './vcenter.js';

const fields = {
  server: VCENTER_FIELDS.server,
  username: VCENTER_FIELDS.username,
  datacenter: VCENTER_FIELDS.datacenter.optional(),
  ca_pem: VCENTER_FIELDS.ca_pem.optional(),
  thumbprint: VCENTER_FIELDS.thumbprint.optional(),
  insecure: z.boolean().optional(),
};

/** POST /api/v1/vcenters (409 where there is one of this name) and PUT /api/v1/vcenters/{name}. The password is sealed at once. */
export const VcenterConnectionRequest = z.strictObject({
  name: Token,
  ...fields,
  password: VCENTER_FIELDS.password,
});
export type VcenterConnectionRequest = z.infer<typeof VcenterConnectionRequest>;
/** Without a password the one that is stored stays; with `keep_trust` the way in which its certificate is trusted. */
export const VcenterConnectionUpdate = z
  .strictObject({
    ...fields,
    password: VCENTER_FIELDS.password.optional(),
    /** No answer has the text of a CA: whoever changes something else could not give it again. */
    keep_trust: z.boolean().optional(),
  })
  .refine(
    ({ keep_trust: keep, ca_pem, thumbprint, insecure }) =>
      keep !== true || [ca_pem, thumbprint, insecure].every((given) => given === undefined),
    { path: ['keep_trust'], message: 'not together with ca_pem, thumbprint or insecure' },
  );
export type VcenterConnectionUpdate = z.infer<typeof VcenterConnectionUpdate>;

export const VcenterConnection = z.object({
  name: Token,
  server: z.string(),
  username: z.string(),
  datacenter: z.string().nullable(),
  /** How its certificate is trusted. */
  trust: z.enum(['system', 'ca', 'thumbprint', 'insecure']),
  thumbprint: z.string().nullable(),
  /** `configuration`: the section `vsphere` of the gateway; it is changed there. */
  origin: z.enum(['stored', 'configuration']),
  created_by: z.string().nullable(),
  created_at: Timestamp.nullable(),
  updated_at: Timestamp.nullable(),
});
export type VcenterConnection = z.infer<typeof VcenterConnection>;
export const VcenterConnectionList = z.object({ vcenters: z.array(VcenterConnection) });
export type VcenterConnectionList = z.infer<typeof VcenterConnectionList>;

/** POST /api/v1/vcenters/{name}/test */
export const VcenterTest = checkVcenter.reply.extend({
  name: Token,
  /** False where a privilege is missing that every migration needs. */
  ok: z.boolean(),
  /** Ids of the required privileges that are not held. */
  missing: z.array(z.string()),
});
export type VcenterTest = z.infer<typeof VcenterTest>;

/** POST /api/v1/secrets/rotate: everything stored is sealed anew with `secrets.key_file`; how many of each. */
export const SecretsRotated = z.object({
  key_id: z.string(),
  resealed: z.object({
    vcenters: z.number().int(),
    jobs: z.number().int(),
    messages: z.number().int(),
    idempotency_keys: z.number().int(),
  }),
  /** Sealed with a key that is not configured any more: they cannot be opened. */
  unreadable: z.number().int(),
  /** Messages in the queues, sealed with a previous key: it is needed until they are worked off. */
  waiting_with_previous_key: z.number().int(),
});
export type SecretsRotated = z.infer<typeof SecretsRotated>;
