// Numbers as a reader sees them.
export const formatCount = (n: number) => n.toLocaleString("en");
export const formatPercent = (v: number) => `${(100 * v).toFixed(1)}%`;

// A distance, in three places; those of a collapsed space are far smaller than that.
export const formatDistance = (d: number) => (d === 0 || d >= 0.001 ? d.toFixed(3) : d.toExponential(1));
