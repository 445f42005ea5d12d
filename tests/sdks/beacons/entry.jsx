// What the docs put into app/layout.jsx, and a chat that uses what they put into app/utils/performance.js.
import { createRoot } from 'react-dom/client'
import { Beacons } from './app/beacons'
import { trackChatMetrics } from './app/utils/performance'
import { WebVitals } from './app/web-vitals'

createRoot(document.querySelector('#app')).render(<><Beacons /><WebVitals /></>)
window.trackChatMetrics = trackChatMetrics
