export async function manual() {
  return '';
}
