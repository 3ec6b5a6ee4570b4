import { Column, Entity, PrimaryColumn } from 'typeorm';

/** A fact that was applied: written in the transaction that applied it, so it is applied once. */
@Entity('inbox')
export class InboxRow {
  @PrimaryColumn('text') consumer!: string;
  @PrimaryColumn('text') eventId!: string;
  @Column('timestamptz') receivedAt!: Date;
}
