// SPDX-License-Identifier: Apache-2.0
/*
 * A document for xterm.js that needs no inline styles.  xterm.js writes <style> elements and style
 * attributes, which the page's Content-Security-Policy forbids; it asks the document given as
 * `documentOverride` for its elements (and where it forgets to, build.mjs sees to it).  This one gives
 * it elements whose styles go by way of the CSS object model, which the policy allows.
 */

/* Stands where the <style> would; its text is a sheet of the document. */
function styleElement() {
    const sheet = new CSSStyleSheet();
    const element = document.createElement('span');

    element.hidden = true;
    document.adoptedStyleSheets = [...document.adoptedStyleSheets, sheet];
    Object.defineProperty(element, 'textContent', {
        set: (css) => sheet.replaceSync(css),
    });
    element.remove = () => {
        document.adoptedStyleSheets = document.adoptedStyleSheets.filter((s) => s !== sheet);
        Element.prototype.remove.call(element);
    };
    return element;
}

function setAttribute(name, value) {
    if (name === 'style')
        this.style.cssText = value;
    else
        Element.prototype.setAttribute.call(this, name, value);
}

function createElement(tag) {
    if (tag === 'style')
        return styleElement();

    const element = document.createElement(tag);
    if (tag === 'span')
        element.setAttribute = setAttribute;
    return element;
}

export const styledDocument = new Proxy(document, {
    get(target, name) {
        if (name === 'createElement')
            return createElement;
        const value = Reflect.get(target, name, target);
        return typeof value === 'function' ? value.bind(target) : value;
    },
    set: (target, name, value) => Reflect.set(target, name, value, target),
});
