import "./styles/fonts";
import "./styles/tokens.css";
import "./styles/base.css";
import { mount } from "svelte";
import App from "./App.svelte";
import { i18n } from "./i18n/index.svelte";

void i18n.start().then(() => mount(App, { target: document.getElementById("app")! }));
