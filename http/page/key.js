// The question for an API key, which some nodes ask for.
import { h } from "./dom.js";
import { useKey } from "./api.js";

// keyForm describes the question; refused is what the node said against the last key.
export const keyForm = (refused, again) => [
  h("h1", null, "This node asks for a key"),
  h("section", null,
    h("form", { class: "search", onsubmit: event => { event.preventDefault(); useKey(event.target.elements.key.value.trim()); again(); } },
      h("label", null, "API key", h("input", { name: "key", type: "password", autocomplete: "current-password", required: true, placeholder: "ff_..." })),
      h("button", null, "Use this key")),
    h("p", { class: "soft" }, refused, " The key stays in this window until you close it.")),
];
