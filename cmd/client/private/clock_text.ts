/** Hours, minutes and seconds: rounds are seconds apart. */
export function clockText(milliseconds: number): string {
  const date = new Date(milliseconds);
  return [date.getHours(), date.getMinutes(), date.getSeconds()]
    .map((each) => String(each).padStart(2, "0")).join(":");
}
