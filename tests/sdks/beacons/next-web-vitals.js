// Stands for next/web-vitals, which hands the package's metrics to the callback in an effect too.
import { useEffect } from 'react'
import { onCLS, onFCP, onINP, onLCP, onTTFB } from 'web-vitals'

export const useReportWebVitals = (report) =>
  useEffect(() => [onCLS, onFCP, onINP, onLCP, onTTFB].forEach((on) => on(report)), [report])
