/** The image of a disk, in the job's folder. */
export const diskFile = (index: number): string => `disk${index}.qcow2`;
