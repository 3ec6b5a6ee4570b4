/** The smallest PE32+ file that says what it is: a console program for x86-64 without code. */
export function makeExecutable(): Buffer {
  const file = Buffer.alloc(1024);
  file.write('MZ', 0, 'latin1');
  // Where the relocation table of a DOS program would be: from 0x40 on means "look for a newer header".
  file.writeUInt16LE(0x40, 0x18);
  const pe = 0x80;
  file.writeUInt32LE(pe, 0x3c);
  file.write('PE\0\0', pe, 'latin1');
  file.writeUInt16LE(0x86_64, pe + 4);
  file.writeUInt16LE(1, pe + 6);
  // Size of the optional header; executable, more than 2 GiB of addresses.
  file.writeUInt16LE(0xf0, pe + 20);
  file.writeUInt16LE(0x22, pe + 22);
  const optional = pe + 24;
  file.writeUInt16LE(0x2_0b, optional);
  file.writeBigUInt64LE(0x1_40_00_00_00n, optional + 24);
  file.writeUInt32LE(0x10_00, optional + 32);
  file.writeUInt32LE(0x2_00, optional + 36);
  file.writeUInt16LE(6, optional + 48);
  file.writeUInt32LE(0x20_00, optional + 56);
  file.writeUInt32LE(0x2_00, optional + 60);
  // Subsystem: console.
  file.writeUInt16LE(3, optional + 68);
  file.writeUInt32LE(16, optional + 108);
  file.write('.text', optional + 0xf0, 'latin1');
  return file;
}
