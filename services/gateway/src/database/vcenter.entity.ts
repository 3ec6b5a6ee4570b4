import type { TlsTrust } from '@hyper2kvm/contracts';
import { Column, Entity, PrimaryColumn } from 'typeorm';

/** A stored connection to a vCenter. */
@Entity('vcenters')
export class VcenterRow {
  @PrimaryColumn('text') name!: string;
  @Column('text') server!: string;
  @Column('text') username!: string;
  @Column('text') passwordSealed!: string;
  @Column('text', { nullable: true }) datacenter!: string | null;
  @Column('jsonb') tls!: TlsTrust;
  @Column('text') createdBy!: string;
  @Column('timestamptz') createdAt!: Date;
  @Column('timestamptz') updatedAt!: Date;
}
