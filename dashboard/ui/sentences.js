// A sentence in another language, found in a catalogue by its English: whole, by a template, or part by part.
//
// A key is an English sentence with placeholders: {n}, one letter, for a number, {time} for a duration, {word} for one word, {more} for any
// text, any other word for what has no colon in it; <b> and the like stand where a sentence goes on inside an element. The translation has the same ones; {n*100} multiplies.
{
  const UNIT = '(?:[kM%×]|[⁻⁰¹²³⁴⁵⁶⁷⁸⁹]+)?';
  const NUMBER = `[-−+±<>≈~]?\\d[\\d.,]*(?::\\d\\d)?${UNIT}(?: ?[±×–] ?[\\d.,]+${UNIT})?(?: (?:million|billion))?`;
  const TIME = `${NUMBER} (?:ms|s|min|h|seconds?|minutes?|hours?|days?)(?: \\d+ (?:s|min))?`;
  // Anything within a part of a sentence, also what is linked in it; {more} may be sentences.
  const LINKED = '<(?:a|b|i|span)>[^<>]*</(?:a|b|i|span)>';
  const TEXT = `(?:[^<>.!?:]|[.!?](?! \\p{Lu})|:(?! )|${LINKED})+?`;
  const MORE = `(?:[^<>]|${LINKED})+?`;
  const KINDS = { time: TIME, word: '[^ <>]+', more: MORE };
  const HOLE = /\{([a-z]+)(?:\*(\d+))?\}/g;
  // Where a text may be cut, and what the parts are joined with; all parts of a list must be known, as a comma says little.
  const CUTS = [
    { at: / · /g },
    { at: /(?<=[.!?][)”"]?) (?=\S)/g },
    { at: /; /g },
    { at: /: /g },
    { at: /, and | and | or |, /g, with: ', ', all: true },
    { at: /(?<=\S) (?=\()/g },
    { at: /(?<=<\/?\w+\/?>)|(?=<\/?\w+\/?>)/g },
  ];
  const TAGS = CUTS.at(-1).at.source;
  const MOST = 4000; // texts that are remembered
  const WORDS = /(?<![\w/.-])(?!(?:px|ms)\b)[a-z]{2,}(?![\w/])/g; // neither in a name nor in a path
  const left = (text) => text.replace(/<[^<>]*>/g, ' ').match(WORDS)?.length ?? 0; // words that are still English

  // ---- Korean particles, which depend on how the word before them ends: '{model}은(는)' becomes 'GAN은', 'VAE는'
  const PARTICLES = /(.[)\]”"’'>]*(?:<\/\w+>)?)(은\(는\)|이\(가\)|을\(를\)|과\(와\)|\(으\)로)/gu;
  const ends = (letter) => {
    const code = letter.codePointAt(0) - 0xac00;
    if (code >= 0 && code < 11172) return { closed: code % 28 > 0, l: code % 28 === 8 };
    return { closed: /[013678lmnLMNRkpbt]/.test(letter), l: /[178lLR]/.test(letter) };
  };
  const particle = (word, choice) => {
    const letter = word.replace(/<\/\w+>/, '').replace(/[)\]”"’'>]+$/u, '') || word;
    const { closed, l } = ends(letter.at(-1));
    if (choice === '(으)로') return word + (closed && !l ? '으로' : '로');
    return word + (closed ? choice[0] : choice[2]);
  };
  const settled = (text) => text.replace(PARTICLES, (_, word, choice) => particle(word, choice));

  // ---- templates
  const escaped = (text) => text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
  const template = (key, words) => {
    const names = [];
    const pattern = key.split(HOLE).reduce((all, part, i) => {
      if (i % 3 === 0) return all + escaped(part);
      if (i % 3 === 2) return all;
      const seen = names.indexOf(part);
      if (seen >= 0) return `${all}\\${seen + 1}`;
      names.push(part);
      return `${all}(${part.length === 1 ? NUMBER : (KINDS[part] ?? TEXT)})`;
    }, '');
    const fixed = key.split(HOLE).filter((_, i) => i % 3 === 0);
    const size = fixed.join('').length;
    return { pattern: new RegExp(`^${pattern}$`, 'u'), names, words, fixed, size };
  };
  // Whether what is fixed in a template stands in a text, in this order: much sooner known than whether all of it fits.
  const maybe = ({ fixed }, text) => {
    let at = 0;
    return fixed.every((part) => {
      const found = text.indexOf(part, at);
      at = found + part.length;
      return found >= 0;
    });
  };

  // A text's parts, and between them what stands there: none is cut within brackets, or within what is linked.
  const OPENING = /\(|<\w+>/g;
  const CLOSING = /\)|<\/\w+>/g;
  const balanced = (text) => (text.match(OPENING)?.length ?? 0) === (text.match(CLOSING)?.length ?? 0);
  const cut = (text, at) => {
    const parts = [];
    let begin = 0;
    for (const found of text.matchAll(at)) {
      const piece = text.slice(begin, found.index);
      if (!piece || begin + piece.length === text.length || (at.source !== TAGS && !balanced(piece))) continue;
      parts.push(piece, found[0]);
      begin = found.index + found[0].length;
    }
    return [...parts, text.slice(begin)];
  };

  // 'times' for a number whose unit is another one: 1.2 million are 120 of ten thousand.
  const times = (value, factor) => {
    const number = Number(value.replaceAll(',', '')) * factor;
    return String(Number(number.toPrecision(10)));
  };

  /** Returns what translates a text with this catalogue; a text that it does not know comes back as it is. */
  lab.sentences = (catalogue) => {
    const whole = new Map(Object.entries(catalogue).filter(([key]) => !key.match(HOLE)));
    const templates = Object.entries(catalogue)
      .filter(([key]) => key.match(HOLE))
      .map(([key, words]) => template(key, words))
      .sort((one, other) => other.size - one.size);
    const remembered = new Map();

    const filled = ({ names, words }, found) => {
      const linked = [];
      const text = words.replace(HOLE, (_, name, factor) => {
        const at = names.indexOf(name) + 1;
        if (found[at].includes('<')) linked.push(at);
        return factor ? times(found[at], Number(factor)) : said(found[at]);
      });
      return linked.every((at, i) => !i || at > linked[i - 1]) ? text : null; // else links would change places
    };
    const byTemplate = (text) => {
      for (const one of templates) {
        const found = maybe(one, text) && text.match(one.pattern);
        const words = found && filled(one, found);
        if (words) return settled(words);
      }
      return null;
    };
    const wrapped = (text) => {
      if (/^\([^()]*\)$/.test(text)) return `(${said(text.slice(1, -1))})`;
      const [, tag, inside] = text.match(/^<(\w+)>([^<>]*)<\/\1>$/) ?? [];
      return tag ? `<${tag}>${said(inside)}</${tag}>` : null;
    };
    const withoutStop = (text) => {
      const words = text.endsWith('.') ? said(text.slice(0, -1)) : text;
      return words === text.slice(0, -1) || words === text ? null : `${words}.`;
    };
    const joined = (text, { at, with: joint, all }) => {
      const parts = cut(text, at);
      if (parts.length < 3) return null;
      const known = parts.map((part, i) => (i % 2 ? (joint ?? part) : said(part)));
      const changed = (part, i) => i % 2 === 0 && known[i] !== part;
      const isKnown = (part, i) => i % 2 || changed(part, i) || whole.has(part) || !left(part);
      return (all ? parts.every(isKnown) : parts.some(changed)) ? known.join('') : null;
    };
    const inParts = (text) => {
      let best = null; // the way of cutting that leaves the least in English
      for (const way of CUTS) {
        const found = joined(text, way);
        if (found !== null && (best === null || left(found) < left(best))) best = found;
        if (best !== null && !left(best)) break;
      }
      return best;
    };
    const said = (text) => {
      if (!/[A-Za-z]/.test(text) || /^<[^<>]*>$/.test(text)) return text;
      const [, before, middle, after] = text.match(/^(\s*)([\s\S]*?)(\s*)$/);
      if (before || after) return before + said(middle) + after;
      const kept = remembered.get(text);
      if (kept !== undefined) return kept;
      const found = whole.get(text) ?? wrapped(text) ?? byTemplate(text) ?? inParts(text) ?? withoutStop(text) ?? text;
      if (remembered.size > MOST) remembered.clear();
      remembered.set(text, found);
      return found;
    };
    return said;
  };
}
