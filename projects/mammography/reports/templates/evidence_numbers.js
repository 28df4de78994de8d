// Numbers and their spelling; the same as in Python, which the tests compare.

function fixed(value, digits) {
  // Rounds a tie to even, as Python does; toFixed alone rounds it up.
  const text = value.toFixed(digits);
  const exact = Math.abs(value).toFixed(Math.min(100, digits + 30));
  const rest = exact.slice(exact.indexOf(".") + 1 + digits);
  if (!/^50*$/.test(rest)) return text;
  const low = digits ? exact.slice(0, exact.indexOf(".") + 1 + digits) : exact.split(".")[0];
  if (Number(low[low.length - 1]) % 2) return text;
  return (value < 0 ? "-" : "") + low;
}

function whole(value) {
  return String(value).replace(/\B(?=(\d{3})+(?!\d))/g, ",");
}

function thresholdText(value) {
  if (value !== 0 && Math.abs(value) < 0.001) {
    return value.toExponential(2).replace(/e([+-])(\d)$/, "e$10$2");
  }
  return fixed(value, 4);
}

function wilson(successes, trials) {
  // Wilson 1927: the shares that a score test of the observed one does not reject.
  if (!trials) return [NaN, NaN];
  const z2 = DATA.z * DATA.z;
  const share = successes / trials;
  const centre = (share + z2 / (2 * trials)) / (1 + z2 / trials);
  const reach =
    (DATA.z / (1 + z2 / trials)) *
    Math.sqrt((share * (1 - share)) / trials + z2 / (4 * trials * trials));
  const low = successes === 0 ? 0 : Math.max(0, centre - reach);
  const high = successes === trials ? 1 : Math.min(1, centre + reach);
  return [low, high];
}

function shareText(successes, trials, withInterval = true) {
  if (!trials) return "not defined";
  const value = fixed(successes / trials, 3);
  if (!withInterval) return value;
  const [low, high] = wilson(successes, trials);
  return `${value} (${fixed(low, 3)} to ${fixed(high, 3)})`;
}

function confusion(group, model, index) {
  const tp = group.tp[model][index];
  const fp = group.fp[model][index];
  return { tp, fp, fn: group.n1 - tp, tn: group.n0 - fp };
}

function costPerThousand(c, prevalence) {
  const found = (1000 * prevalence * c.tp) / (c.tp + c.fn);
  const missed = (1000 * prevalence * c.fn) / (c.tp + c.fn);
  const alarms = (1000 * (1 - prevalence) * c.fp) / (c.fp + c.tn);
  return { recalled: found + alarms, found, missed, alarms };
}

function netBenefit(c, threshold) {
  // At the prevalence at which the curve was drawn.
  const found = (DATA.prevalence * c.tp) / (c.tp + c.fn);
  const alarms = ((1 - DATA.prevalence) * c.fp) / (c.fp + c.tn);
  return found - (alarms * threshold) / (1 - threshold);
}
