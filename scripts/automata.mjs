/** Compiles the built-in protocols' signatures ahead, into dist/protocols/automata.json. */
import { writeFileSync } from 'node:fs';
import { compileAutomaton, signatureText } from '../dist/protocols/compile.js';
import { protocols } from '../dist/protocols/index.js';
import { precompiledText } from '../dist/protocols/precompiled.js';

const automata = protocols.map((protocol) => [signatureText(protocol.signature), compileAutomaton(protocol)]);
writeFileSync('dist/protocols/automata.json', precompiledText(automata));
