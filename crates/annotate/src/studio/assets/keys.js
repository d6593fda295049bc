// Which key does what. The help is written from the same table that runs the actions.

// An action is { keys, does, group, run }, its keys written like "Alt+Shift+ArrowLeft", "z" or "Z".
export class Keys {
  constructor(actions) {
    this.actions = actions;
    this.byKey = new Map();
    for (const action of actions) for (const key of action.keys) this.byKey.set(key, action);
  }

  // Runs what belongs to a key; false where nothing does.
  run(event) {
    for (const name of names(event)) {
      const action = this.byKey.get(name);
      if (action) {
        event.preventDefault();
        action.run(event);
        return true;
      }
    }
    return false;
  }

  // Fills the help.
  explain(box) {
    for (const [group, actions] of Map.groupBy(this.actions.filter(action => !action.hidden), action => action.group)) {
      const section = make("section", {}, make("h3", {}, group));
      for (const action of actions) {
        const keys = action.shown ?? action.keys.slice(0, 2).map(pretty);
        const shown = keys.flatMap((key, index) => [index ? " or " : "", ...combination(key)]);
        section.append(make("div", { className: "key" }, make("span", {}, ...shown), make("span", {}, action.does)));
      }
      box.append(section);
    }
  }
}

// What a key press can be called: by its character, and where that is no Latin letter or no digit, by its place on the keyboard.
function names(event) {
  const modifiers = (event.ctrlKey || event.metaKey ? "Ctrl+" : "") + (event.altKey ? "Alt+" : "");
  const shift = event.shiftKey ? "Shift+" : "";
  const found = [];
  if (event.key.length > 1) found.push(modifiers + shift + event.key);
  // Whatever Caps Lock says.
  else if (/^[a-z]$/i.test(event.key)) found.push(modifiers + (event.shiftKey ? event.key.toUpperCase() : event.key.toLowerCase()));
  else found.push(modifiers + event.key);
  const place = /^(?:Key([A-Z])|(?:Digit|Numpad)(\d))$/.exec(event.code);
  if (place && !/^[a-z]$/i.test(event.key)) {
    if (place[2]) found.push(modifiers + shift + place[2]);
    else found.push(modifiers + (event.shiftKey ? place[1] : place[1].toLowerCase()));
  }
  return found;
}

const SYMBOLS = { ArrowLeft: "←", ArrowRight: "→", ArrowUp: "↑", ArrowDown: "↓", Escape: "Esc", Delete: "Del", Enter: "Enter" };

function pretty(key) {
  return /^[A-Z]$/.test(key) ? `Shift+${key}` : key.replace(/[a-z]$/, letter => (key.length === 1 || key.at(-2) === "+" ? letter.toUpperCase() : letter));
}

function combination(key) {
  return key.split("+").flatMap((part, index) => [index ? "+" : "", make("kbd", {}, SYMBOLS[part] ?? part)]);
}

// An element with properties and children; texts among them stay texts.
export function make(name, properties, ...children) {
  const element = Object.assign(document.createElement(name), properties);
  element.append(...children.filter(child => child !== null));
  return element;
}
