import { cpSync, mkdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import react from '@vitejs/plugin-react';
import { defineConfig } from 'vite';

// Grafana's components ask for these at fixed addresses; a Grafana server has them, the packages have part of them.
const PUBLIC = {
  '@grafana/ui/dist/public/img/icons': 'build/img/icons',
  'inter-ui/web/Inter-Regular.woff2': 'fonts/inter/Inter-Regular.woff2',
  'inter-ui/web/Inter-Medium.woff2': 'fonts/inter/Inter-Medium.woff2',
  'inter-ui/web/Inter-Italic.woff2': 'fonts/inter/Inter-Italic.woff2',
  'inter-ui/web/Inter-MediumItalic.woff2': 'fonts/inter/Inter-MediumItalic.woff2',
  '@fontsource-variable/roboto-mono/files/roboto-mono-latin-wght-normal.woff2':
    'fonts/roboto/L0xTDF4xlVMF-BfR8bXMIhJHg45mwgGEFl0_3vrtSM1J-gEPT5Ese6hmHSh0mQ.woff2',
};

const publicFiles = {
  name: 'public-files',
  closeBundle() {
    for (const [from, to] of Object.entries(PUBLIC)) {
      const target = join(import.meta.dirname, 'dist/public', to);
      mkdirSync(dirname(target), { recursive: true });
      cpSync(join(import.meta.dirname, 'node_modules', from), target, { recursive: true });
    }
  },
};

export default defineConfig({
  root: import.meta.dirname,
  plugins: [react(), publicFiles],
  define: { 'process.env.NODE_ENV': '"production"', 'process.env': '{}', global: 'globalThis' },
  build: { chunkSizeWarningLimit: 99999 },
});
